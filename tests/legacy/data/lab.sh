# Made runs/ of lab.tar.xz in an empty folder, with the sources of commit 69fd1d7 on PYTHONPATH; presets/ is written by hand,
# and the plots of sweeps are left out.
D="--data=SyntheticDigits --data.train_size=200 --data.test_size=40 --data.val_size=40 --data.batch_size=16 --trainer.max_epochs=1"
f() { mnistlab fit $D "--run.name=$1" "${@:2}"; }
S=--model.optimizer=SGD\ --model.optimizer.lr=0.1
f mlp --model=TinyModel --model.hidden_dim=2 --model.layers=1 --trainer.callbacks=EarlyStopping --trainer.callbacks.monitor=val/loss --trainer.callbacks+=Unfreeze --trainer.callbacks.epoch=1 --model.freeze=backbone.stem --trainer.profiler=mnistlab.profiling.TimeTable --logger=tensorboard $S
f dense --model=SDN8K --model.lin1_size=2 --model.lin2_size=4 --model.lin3_size=4 --model.loss=mnistlab.losses.focal.FocalLoss --model.loss.gamma=1.5 --model.scheduler=null --model.optimizer.lr=0.01
f cnn --model=CNN8K --model.conv1_channels=2 --model.conv2_channels=2 --model.fc_size=4 --model.optimizer.lr=0.01
f compact --model=CompactCNN --model.channels=[2,2,4] --model.optimizer.lr=0.01
f efficientnet --model=EfficientNet22K --model.depth=0.1 --model.squeeze_from=input $S
f convnext --model=ConvNeXt18K --model.dims=[2,2,4,4] $S
f vit --model=ViT38K --model.embed_dim=4 --model.layers=1 --model.num_heads=2 --model.patch_size=7 --model.optimizer.lr=0.01
f assembled --model=Assembled --model.backbone=DenseBackbone --model.backbone.lin1_size=2 --model.backbone.lin2_size=4 --model.backbone.lin3_size=4 --model.head=MLPHead --model.head.hidden_dim=4 $S
f multihead --model=MultiheadCNN422K --data.labels=DigitTable --model.conv1_channels=2 --model.conv2_channels=2 --model.fc_size=4 --model.loss_weights.digit=2
mnistlab fit --ckpt_path=cnn --trainer.max_epochs=2
mnistlab test --ckpt_path=vit
mnistlab predict --ckpt_path=vit
mnistlab sweep $D --model=SDN8K --model.lin1_size=1 --model.lin2_size=4 --model.lin3_size=4 --model.optimizer.lr=log:1e-3..1e-1 --sampler=random --trials=2 --name=tried --workers=1
mnistlab compare $D --models=SDN8K,SimpleDenseNet --model.lin1_size=1 --model.lin2_size=4 --model.lin3_size=4 --seeds=1 --name=compared --workers=1
mnistlab sweep --config=Grid --name=grid --workers=1 --keep=1
